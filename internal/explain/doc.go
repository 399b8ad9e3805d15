// Package explain says what is wrong with a requirements file, line by line, and
// writes a corrected one. It is pure: Read takes what opens files, and a
// Diagnosis hands out questions for the package index, as Jobs, and takes their
// Answers. What asks is a stage that runs uv and pip.
package explain
