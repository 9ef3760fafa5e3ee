export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}
