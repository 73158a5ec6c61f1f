// Files that are part of the executable, imported `with { type: 'file' }`: where each can be read.

declare module 'swagger-ui-dist/*' {
  const path: string;
  export default path;
}

// And those imported `with { type: 'text' }`: what stands in them.

declare module '*.sql' {
  const text: string;
  export default text;
}
