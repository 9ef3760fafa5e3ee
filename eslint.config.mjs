// What a compiler cannot see and people overlook. Length, names, borders and purity are tools/tidy's; layout is taste.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const own = {
  eqeqeq: 'error',
  'no-console': 'error',
  'no-debugger': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
};

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', '.millrace/**', '.nx/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: ['**/*.mjs'], rules: own },
  {
    files: ['**/*.ts', '**/*.mts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      // The build leaves specs and fixtures out; this one project holds every source file.
      parserOptions: { project: './tsconfig.spec.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...own,
      '@typescript-eslint/await-thenable': 'error',
      // Nest reads the classes of constructor parameters at run time: the rule leaves imports of decorated files alone by itself.
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false, fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
    },
  },
  {
    // They speak to a person at a terminal.
    files: ['tools/**', 'examples/**', 'apps/cli/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Specs are given values by themselves, not by the outside, and jest stubs promises freely.
    files: ['**/*.spec.ts', '**/*.fixture.ts', '**/src/testing/**'],
    rules: { '@typescript-eslint/no-explicit-any': 'off' },
  },
  {
    // A declaration of a foreign package lies outside every project.
    files: ['**/*.d.ts', '**/*.d.mts'],
    languageOptions: { parserOptions: { project: null, projectService: false } },
    ...tseslint.configs.disableTypeChecked,
  },
);
