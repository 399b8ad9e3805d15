// Package reexec is what a program needs to start itself a second time, as root of
// namespaces of its own, and to talk to what it started. Linux only.
package reexec
