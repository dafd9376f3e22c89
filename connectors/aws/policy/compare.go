package policy

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// compare compares one value of the request with one of the policy. valid is
// false for a value of the policy that AWS would not have taken, so that
// nothing is known of what it does with it.
func (q *inquiry) compare(comparison, given, written string) (result Truth, valid bool) {
	switch comparison {
	case "StringEquals":
		return q.compareText(written, given, literal), true
	case "StringEqualsIgnoreCase":
		return q.compareText(strings.ToLower(written), strings.ToLower(given), literal), true
	case "StringLike":
		return q.compareText(written, given, wild), true
	case "ArnLike":
		p, resolved := q.expand(written, wild)
		if !resolved {
			return False, true
		}
		if strings.Count(given, ":") < arnColons {
			return False, true
		}
		return p.segmented().matches(given, false, q.work), true
	case "Bool":
		want, err := strconv.ParseBool(strings.ToLower(written))
		return truthOf(strings.EqualFold(given, strconv.FormatBool(want))), err == nil
	case "BinaryEquals":
		want, err := base64.StdEncoding.DecodeString(written)
		got, failed := base64.StdEncoding.DecodeString(given)
		return truthOf(failed == nil && string(want) == string(got)), err == nil
	case "IpAddress":
		return compareAddress(given, written)
	}
	if operator, ok := strings.CutPrefix(comparison, "Numeric"); ok {
		want, valid := number(written)
		got, ok := number(given)
		return truthOf(valid && ok && holds(operator, got.Cmp(want))), valid
	}
	if operator, ok := strings.CutPrefix(comparison, "Date"); ok {
		want, valid := date(written)
		got, ok := date(given)
		return truthOf(valid && ok && holds(operator, got.Compare(want))), valid
	}
	return Unknown, false
}

func (q *inquiry) compareText(written, given string, take func(string) pattern) Truth {
	p, resolved := q.expand(written, take)
	if !resolved {
		return False
	}
	return p.matches(given, false, q.work)
}

// holds tells whether an order fits the end of an operator's name.
func holds(operator string, order int) bool {
	switch operator {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "LessThanEquals":
		return order <= 0
	case "GreaterThan":
		return order > 0
	default:
		return order >= 0
	}
}

// maxNumberBytes keeps a number such as 1e999999999 from being worked out.
const maxNumberBytes = 64

// number reads an integer or decimal number.
func number(text string) (*big.Rat, bool) {
	if len(text) > maxNumberBytes || strings.ContainsAny(text, "/eEpPxX_") {
		return new(big.Rat), false
	}
	n, ok := new(big.Rat).SetString(strings.TrimSpace(text))
	if !ok {
		return new(big.Rat), false
	}
	return n, true
}

// date reads a moment in one of the W3C's forms of ISO 8601 or as seconds
// since 1970 (IAM user guide, "Date condition operators").
func date(text string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, true
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), true
	}
	return time.Time{}, false
}

// compareAddress finds an address in a range, or equal to an address.
func compareAddress(given, written string) (result Truth, valid bool) {
	network, err := netip.ParsePrefix(written)
	if err != nil {
		one, err := netip.ParseAddr(written)
		if err != nil {
			return Unknown, false
		}
		network = netip.PrefixFrom(one, one.BitLen())
	}
	address, err := netip.ParseAddr(given)
	return truthOf(err == nil && network.Contains(address.Unmap())), true
}
