package surface

import (
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// link is where a surface does what the API does at a path; empty for a path that
// no surface has.
func link(api string) string {
	noun, rest, _ := strings.Cut(strings.TrimPrefix(api, "/v1/"), "/")
	which, deed, _ := strings.Cut(rest, "/")
	switch noun {
	case "runs":
		var r id.Run
		if r.UnmarshalText([]byte(which)) != nil {
			return ""
		}
		return below(runURL(r), deed)
	case "connections":
		if which == "" {
			return "/admin/provider-connections"
		}
		var c id.Connection
		if c.UnmarshalText([]byte(which)) != nil {
			return ""
		}
		own := "/admin/provider-connections/" + strconv.FormatInt(int64(c), 10)
		if deed == "test" {
			return own + "/actions/" + string(operation.ConnectionTest) + "/start"
		}
		return below(own, deed)
	case "integrations", "licence":
		return "/admin/" + noun
	}
	return ""
}

func below(path, deed string) string {
	if deed == "" {
		return path
	}
	return path + "/" + deed
}
