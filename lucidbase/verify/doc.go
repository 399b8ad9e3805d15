// Package verify proves that an image is distroless, or says what is wrong with
// it: what must not be there, who it runs as, whether it can work, and where it
// comes from. It judges any image in the world, not only this library's.
//
// Image and Index judge an image and all images of an index by a Contract. They work
// in two steps, which can also be taken apart: ScanAll reads each layer once, as a
// stream, into Facts, which are small, and the same for the same layer, so that a
// Store keeps them and the layer is never read again; Check is pure, lays the facts of
// all layers over each other and applies every rule.
//
// A twin for build stages and debugging, which has a shell and pip, is held to a contract
// of its own (Contract.Dev), and its label says what it is: neither passes for the other.
//
// No label of an image is believed: what an image says about itself is checked,
// never trusted.
//
// The rules are in internal/rules, one file each; what they ask of an image is in
// internal/overlay, and what is read of a layer in internal/scan. None of these knows
// waivers, groups or the choice of rules: a contract's other part is handed to them,
// and they return what breaks a rule. So all types of a judgement are declared here,
// and imports lead one way: verify, rules, overlay, scan, readers of a file's content.
package verify
