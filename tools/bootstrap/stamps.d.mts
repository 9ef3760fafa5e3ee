export function stampOf(files: readonly string[], facts?: readonly string[]): string;
export function isStamped(folder: string, step: string, stamp: string): boolean;
export function writeStamp(folder: string, step: string, stamp: string): void;
export function removeStamp(folder: string, step: string): void;
