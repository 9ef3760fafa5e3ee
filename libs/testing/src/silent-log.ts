/** Takes every line and prints none; `warnings` lets a spec judge what would have been printed. */
export class SilentLog {
  readonly warnings: { details: object; message: string }[] = [];
  warn(details: object, message: string): void {
    this.warnings.push({ details, message });
  }
}
