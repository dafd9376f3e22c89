package azure

import (
	"net/url"
	"strings"
)

// endpoints are where a cloud's three APIs answer, without a slash at the end.
type endpoints struct {
	login, graph, arm string
	// graphScope and armScope are what tokens are asked for.
	graphScope, armScope string
	// custom is the host of an address of the connection's own, empty for Microsoft.
	custom string
}

// The clouds; "National clouds" of the Microsoft identity platform, and of
// Microsoft Graph "National cloud deployments".
const (
	cloudPublic = "public"
	cloudUSGov  = "usgov"
	cloudChina  = "china"
)

// endpointsOf returns a cloud's endpoints, or those of an address that serves all
// three APIs.
func endpointsOf(c configuration) endpoints {
	e := endpoints{login: "https://login.microsoftonline.com", graph: "https://graph.microsoft.com", arm: "https://management.azure.com"}
	switch c.Cloud {
	case cloudUSGov:
		e = endpoints{login: "https://login.microsoftonline.us", graph: "https://graph.microsoft.us", arm: "https://management.usgovcloudapi.net"}
	case cloudChina:
		e = endpoints{login: "https://login.partner.microsoftonline.cn", graph: "https://microsoftgraph.chinacloudapi.cn", arm: "https://management.chinacloudapi.cn"}
	}
	e.graphScope, e.armScope = e.graph+"/.default", e.arm+"/.default"
	if c.EndpointURL != "" {
		base := strings.TrimSuffix(c.EndpointURL, "/")
		e.login, e.graph, e.arm = base, base, base
		if u, err := url.Parse(base); err == nil {
			e.custom = u.Host
		}
	}
	return e
}

// hosts are the names that sessions call, of all clouds.
func hosts() []string {
	return []string{
		"login.microsoftonline.com", "graph.microsoft.com", "management.azure.com",
		"login.microsoftonline.us", "graph.microsoft.us", "management.usgovcloudapi.net",
		"login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "management.chinacloudapi.cn",
	}
}
