// Style sheets, which the bundler puts together.

declare module '*.css';
