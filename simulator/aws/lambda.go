package aws

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func (s *Simulator) lambdaOperations() operations {
	return operations{"ListFunctions": s.listFunctions, "GetPolicy": s.getFunctionPolicy}
}

// lambdaOperation tells operation and function from a request; a function may
// be named by its ARN.
func lambdaOperation(r *http.Request) (name, function string) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/2015-03-31/functions")
	rest = strings.Trim(rest, "/")
	if !ok || r.Method != http.MethodGet {
		return r.Method + " " + r.URL.Path, ""
	}
	if rest == "" {
		return "ListFunctions", ""
	}
	encoded, last, _ := strings.Cut(rest, "/")
	function, err := url.PathUnescape(encoded)
	if err != nil || last != "policy" {
		return r.Method + " " + r.URL.Path, ""
	}
	return "GetPolicy", function[strings.LastIndexByte(function, ':')+1:]
}

// lambdaPage is how many functions an answer carries, whatever was asked for
// (Lambda API Reference, ListFunctions).
const lambdaPage = 50

func (s *Simulator) listFunctions(c *call) (any, *apiError) {
	query := c.request.URL.Query()
	size := lambdaPage
	if given := query.Get("MaxItems"); given != "" {
		parsed, err := strconv.Atoi(given)
		if err != nil || parsed < 1 || parsed > 10000 {
			return nil, &apiError{"InvalidParameterValueException", 400, "MaxItems must be between 1 and 10000"}
		}
		size = min(parsed, lambdaPage)
	}
	var here []estate.Function
	for _, function := range s.inventory(c).Functions {
		if function.Region == c.region {
			here = append(here, function)
		}
	}
	p, err := cut("functions/"+c.caller.account.ID+"/"+c.region, query.Get("Marker"), len(here), size)
	if err != nil {
		return nil, &apiError{"InvalidParameterValueException", 400, "Invalid Marker: " + err.Error()}
	}
	functions := make([]map[string]any, 0, p.to-p.from)
	for _, f := range here[p.from:p.to] {
		functions = append(functions, functionConfiguration(f))
	}
	body := map[string]any{"Functions": functions, "NextMarker": nil}
	if p.next != "" {
		body["NextMarker"] = p.next
	}
	return body, nil
}

func functionConfiguration(f estate.Function) map[string]any {
	return map[string]any{
		"FunctionName": f.Name, "FunctionArn": f.ARN, "Runtime": f.Runtime, "Role": f.Role, "Handler": "main.handler",
		"Description": "", "MemorySize": f.Memory, "Timeout": f.Timeout, "Version": "$LATEST", "PackageType": "Zip", "CodeSize": 1 << 14,
		"LastModified": f.Modified.UTC().Format("2006-01-02T15:04:05.000-0700"), "Architectures": []string{"arm64"},
		"TracingConfig": map[string]string{"Mode": "PassThrough"}, "EphemeralStorage": map[string]int{"Size": 512},
	}
}

func (s *Simulator) getFunctionPolicy(c *call) (any, *apiError) {
	for _, f := range s.inventory(c).Functions {
		if f.Name != c.function || f.Region != c.region {
			continue
		}
		if f.Policy == nil {
			return nil, &apiError{"ResourceNotFoundException", 404, "The resource you requested does not exist."}
		}
		return map[string]any{"Policy": f.Policy.JSON(), "RevisionId": s.Estate().Company.Draw().UUID("revision/"+f.ARN, int(f.Modified.Sub(time.Unix(0, 0)).Hours()))}, nil
	}
	arn := s.resourceOf(c)
	return nil, &apiError{"ResourceNotFoundException", 404, "Function not found: " + arn}
}
