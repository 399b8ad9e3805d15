// Package e2e holds the tests that unpack finished images, look at every file
// and run every package in them, for each platform.
package e2e
