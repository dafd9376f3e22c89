package aws

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// page is the part of a list that one answer carries.
type page struct {
	from, to int
	next     string // token of the next page, empty after the last
}

// pageToken names a place in a list. It holds what was listed, so that a
// token of another list is refused.
func pageToken(list string, offset int, afterEmpty bool) string {
	flag := ""
	if afterEmpty {
		flag = "e"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(list + "|" + strconv.Itoa(offset) + flag))
}

func readToken(list, token string) (offset int, afterEmpty bool, err error) {
	if token == "" {
		return 0, false, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, false, fmt.Errorf("the token is not one of ours: %w", err)
	}
	rest, ok := strings.CutPrefix(string(data), list+"|")
	if !ok {
		return 0, false, fmt.Errorf("the token belongs to another list")
	}
	rest, afterEmpty = strings.CutSuffix(rest, "e")
	offset, err = strconv.Atoi(rest)
	if err != nil || offset < 0 {
		return 0, false, fmt.Errorf("the token names no place")
	}
	return offset, afterEmpty, nil
}

// cut takes the next size items of a list of length items.
func cut(list, token string, length, size int) (page, error) {
	offset, _, err := readToken(list, token)
	if err != nil {
		return page{}, err
	}
	p := page{from: min(offset, length), to: min(offset+size, length)}
	if p.to < length {
		p.next = pageToken(list, p.to, false)
	}
	return p, nil
}
