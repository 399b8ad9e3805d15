// Package verify proves that an image is distroless, or says what is wrong with
// it: what must not be there, who it runs as, whether it can work, and where it
// comes from. It judges any image in the world, not only this library's.
//
// Work is done in two steps. Scan reads one layer, once, as a stream, and gives
// its Facts; these are small, and the same for the same layer, so they are kept
// in a Store by diff ID and the layer is never read again. Check is pure: it
// lays the facts of all layers over each other and applies every rule. Image and
// Index do both.
//
// No label of an image is believed: what an image says about itself is checked,
// never trusted.
package verify
