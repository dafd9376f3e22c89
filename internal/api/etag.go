package api

import (
	"strconv"
	"strings"
)

// ETag is how a version is shown in the header of that name.
func ETag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// IfMatch reads the header of that name. Nothing and * match every version, which
// is nil; what is no [ETag] matches none, which is version 0.
func IfMatch(header string) *int64 {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return nil
	}
	var version int64
	if text, err := strconv.Unquote(header); err == nil {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			version = n
		}
	}
	return &version
}
