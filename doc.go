// Package baseimages is the root of a module that composes distroless Python
// 3.11 base images as BuildKit graphs. It holds no code; start with
//
//   - variants: the base images and services, as structs,
//   - lucidbase: what a Spec and a Graph are,
//   - lucidbase/engine: build a Spec and push it or write it to disk,
//   - lucidbase/command: a program of services, and lucidbase/file: services as a file,
//   - lucidbase/lucidtest: start an image in a Go test,
//   - lucidbase/deploy: Compose files and Kubernetes objects that run services,
//   - lucidbase/verify: judge any image, and lucidbase/imagesource: open one,
//   - cmd/lucidbase: the same as a command.
package baseimages
