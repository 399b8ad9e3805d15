package lock

import "strings"

const (
	// PythonMinor is the Python that everything is locked and built for. What else
	// depends on the version follows from this constant, in scripts from the Python that
	// runs them.
	PythonMinor = "3.11"
	// PythonName is the name of its program, and of the directory of its library:
	// "python3.11".
	PythonName = "python" + PythonMinor
)

// IsPython reports whether a full version, such as "3.11.14", is one of PythonMinor.
func IsPython(version string) bool {
	patch, ok := strings.CutPrefix(version, PythonMinor+".")
	return ok && patch != "" && strings.Trim(patch, "0123456789") == ""
}
