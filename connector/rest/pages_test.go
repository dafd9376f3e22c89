package rest_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// list is a provider's list of numbers, in pages of a size.
func list(length, size int) rest.Pages[int] {
	return rest.Pages[int]{API: doors(), Name: "numbers", Get: func(_ context.Context, marker string) (items []int, next string, err error) {
		begin := 0
		if marker != "" {
			begin, _ = strconv.Atoi(marker)
		}
		end := min(begin+size, length)
		for n := begin; n < end; n++ {
			items = append(items, n)
		}
		if end < length {
			next = strconv.Itoa(end)
		}
		return items, next, nil
	}}
}

func each(p rest.Pages[int], from string) (markers []string, items []int, err error) {
	err = p.Each(context.Background(), from, func(m string) error { markers = append(markers, m); return nil },
		func(page []int) error { items = append(items, page...); return nil })
	return markers, items, err
}

func TestEveryItemIsReadFromEachMarkerOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		length, size := rapid.IntRange(0, 50).Draw(t, "length"), rapid.IntRange(1, 12).Draw(t, "size")
		markers, items, err := each(list(length, size), "")
		require.NoError(t, err)
		require.Len(t, items, length)
		for i, m := range markers {
			_, onwards, err := each(list(length, size), m)
			require.NoError(t, err)
			require.Equal(t, items[min(i*size, length):], onwards)
		}
	})
}

func TestAMarkerThatHasExpiredStartsTheListAgainOnce(t *testing.T) {
	t.Parallel()
	expired := errors.New("expired")
	for name, times := range map[string]int{"once": 1, "always": 9} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := list(4, 2)
			get, left := p.Get, times
			p.Get = func(ctx context.Context, marker string) ([]int, string, error) {
				if marker == "2" && left > 0 {
					left--
					return nil, "", expired
				}
				return get(ctx, marker)
			}
			p.Expired = func(err error) bool { return errors.Is(err, expired) }
			markers, items, err := each(p, "")
			require.Equal(t, []string{"", "2", "", "2"}, markers)
			if times == 1 {
				require.NoError(t, err)
				require.Equal(t, []int{0, 1, 0, 1, 2, 3}, items)
				return
			}
			require.ErrorIs(t, err, expired)
			p.Expired, left = nil, 1
			_, _, err = each(p, "")
			require.ErrorIs(t, err, expired, "markers that do not expire")
		})
	}
}

func TestListsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	for message, next := range map[string]string{"leads to itself": "x", "is too long": strings.Repeat("x", connector.MaxCursorBytes)} {
		p := rest.Pages[int]{API: doors(), Name: "numbers", Get: func(context.Context, string) ([]int, string, error) { return nil, next, nil }}
		_, _, err := each(p, "")
		requireError(t, err, connector.ProviderUnavailable, message)
	}
}

func TestErrorsOfAtAndTakeEndTheRead(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	calls := 0
	p := list(9, 2)
	get := p.Get
	p.Get = func(ctx context.Context, m string) ([]int, string, error) { calls++; return get(ctx, m) }
	require.ErrorIs(t, p.Each(t.Context(), "", func(string) error { return full }, nil), full)
	require.Zero(t, calls)
	require.ErrorIs(t, p.Each(t.Context(), "", func(string) error { return nil }, func([]int) error { return full }), full)
	require.Equal(t, 1, calls)
}

func TestLinksElsewhereAreNotFollowed(t *testing.T) {
	t.Parallel()
	const of = "https://api.example/v1/users"
	for link, follows := range map[string]bool{
		"https://api.example/v1/users?page=2":    true,
		"https://API.example/v1/users?page=2":    true,
		"http://api.example/v1/users?page=2":     false,
		"https://api.example.evil.test/v1/users": false,
		"https://api.example@evil.test/v1/users": false,
		"https://user@api.example/v1/users":      false,
		"https://api.example:8443/v1/users":      false,
		"//api.example/v1/users":                 false,
		"/v1/users?page=2":                       false,
		"https://api.example/%zz":                false,
		"":                                       false,
	} {
		require.Equal(t, follows, rest.SameOrigin(of, link), link)
	}
}
