export { type UntilOptions, until } from '../../src/testing/until.js';
