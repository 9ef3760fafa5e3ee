/** `predictions` make drift panes, `explanations` panes of attributions, `outcomes` performance panes and, by the minute, `errors`. */
export type PaneSource = 'predictions' | 'explanations' | 'outcomes' | 'errors';
