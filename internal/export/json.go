package export

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends a value of a row as JSON, without spaces.
func AppendJSON(to []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(to, "null"...), nil
	case int64:
		return strconv.AppendInt(to, v, 10), nil
	case bool:
		return strconv.AppendBool(to, v), nil
	case time.Time:
		return append(v.UTC().AppendFormat(append(to, '"'), time.RFC3339Nano), '"'), nil
	case string:
		return jsontext.AppendQuote(to, v)
	case []string:
		return appendTexts(to, v)
	case json.RawMessage:
		return jsontext.AppendFormat(to, v, jsontext.PreserveRawStrings(true), jsontext.AllowDuplicateNames(true))
	}
	return to, fmt.Errorf("a row cannot hold a %T", value)
}

func appendTexts(to []byte, values []string) (_ []byte, err error) {
	to = append(to, '[')
	for i, v := range values {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = jsontext.AppendQuote(to, v); err != nil {
			return to, err
		}
	}
	return append(to, ']'), nil
}
