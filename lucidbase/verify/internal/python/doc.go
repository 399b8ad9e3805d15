// Package python compares versions and evaluates requirements as Python's
// installers do: PEP 440 and PEP 508 in the form in which the project "packaging"
// applies them.
package python
