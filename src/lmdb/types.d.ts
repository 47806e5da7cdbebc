declare module 'fs-native-extensions' {
  /** False when somebody else holds a lock on the file. Throws on any other failure. */
  export function tryLock(fd: number): boolean;
  const extensions: { tryLock: typeof tryLock };
  export default extensions;
}
