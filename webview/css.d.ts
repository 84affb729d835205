/** A style sheet is part of the bundle that imports it. */
declare module '*.css'
