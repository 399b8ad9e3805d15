package lock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

func TestIsPython(t *testing.T) {
	for version, want := range map[string]bool{
		lock.PythonMinor + ".0": true, lock.PythonMinor + ".14": true,
		"": false, lock.PythonMinor: false, lock.PythonMinor + ".": false, lock.PythonMinor + ".1rc1": false,
		lock.PythonMinor + "0.1": false, lock.PythonMinor + ".1.2": false, "2.7.18": false, "x" + lock.PythonMinor + ".1": false,
	} {
		require.Equal(t, want, lock.IsPython(version), version)
	}
}
