// Package lock holds the reviewed lists of everything that goes into an image:
// Debian packages, Python wheels, and the tools that a build runs, each by
// version and hash. It is pure: locks are parsed from bytes and formatted to
// bytes; package resolve makes them from the network.
//
// The library's own locks are embedded (Default), so that a program that
// imports it needs no files. No lock holds a host name: paths are relative to
// an archive, wheels are named by project and hash.
package lock
