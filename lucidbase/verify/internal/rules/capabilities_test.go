package rules_test

import (
	"testing"
)

func TestCapabilities(t *testing.T) {
	testRule(t, "capabilities", []breach{
		{name: "clean"},
		{name: "set", layers: one(program("/app/ping", "x").WithXattr("security.capability", "\x01\x00\x00\x02")), want: []string{"/app/ping"}},
		{name: "near: other attributes", layers: one(file("/app/a", "x").WithXattr("user.comment", "capability"))},
	})
}
