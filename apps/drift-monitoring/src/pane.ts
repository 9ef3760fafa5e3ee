/** `predictions` make drift panes, `outcomes` make performance panes and, by the minute, `errors`. */
export type PaneSource = 'predictions' | 'outcomes' | 'errors';
