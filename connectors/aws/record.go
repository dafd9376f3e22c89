package aws

import "github.com/gatehouse-project/gatehouse/connector"

func accountRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Account, ID: id}
}

func principalRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Principal, ID: id}
}

func entitlementRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Entitlement, ID: id}
}

func resourceRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Resource, ID: id}
}

func boundaryRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.CloudAccountBoundary, ID: id}
}
