package operation

// reasons is the one translation of codes into words, for starts, runs, tests and
// schedules alike. The last one stands for what is not known.
func reasons() []Reason {
	edit := func(label, description string) NextStep {
		return NextStep{Label: label, Description: description, Href: "/v1/connections/" + connectionPlace, ActionType: ActEditConnection}
	}
	provider := func(label, description string) NextStep {
		return NextStep{Label: label, Description: description, ActionType: ActProvider}
	}
	retest := NextStep{
		Label: "Test the connection", Description: "A test shows what works and what is missing.",
		Href: "/v1/connections/" + connectionPlace + "/test", ActionType: ActStart,
	}
	wait := NextStep{Label: "Wait and start again", Description: "What was read so far is kept as it was.", ActionType: ActWait}
	again := NextStep{Label: "Start again", Description: "If it happens again, the service's log names the cause.", ActionType: ActWait}
	return []Reason{
		{
			ConnectionMissing, "No connection", "The operation needs a connection, and none was named or is the default for this target.",
			[]NextStep{
				{Label: "Create a connection", Description: "Connect the provider, then start the operation again.", Href: "/v1/connections", ActionType: ActCreateConnection},
				{Label: "Or choose one", Description: "Name a connection in the start, or make one the default of its target.", Href: "/v1/connections", ActionType: ActEditConnection},
			},
		},
		{
			ConnectionDisabled, "Connection disabled", "The connection is switched off, so nothing may use it.",
			[]NextStep{{
				Label: "Enable the connection", Description: "Set its lifecycle to active.",
				Href: "/v1/connections/" + connectionPlace, ActionType: ActEnableConnection,
			}},
		},
		{
			ConnectionDuplicate, "Connected already",
			"Another connection of the workspace acts as the same identity in the same organisation, so everything would be there twice.",
			[]NextStep{edit("Use the other connection", "Give it the wider scope and delete this one, or store credentials of another identity here.")},
		},
		{
			ConsentRequired, "Consent required", "The provider's administrator has not yet agreed to what this operation needs.",
			[]NextStep{
				provider("Ask the provider's administrator for consent", "The required permissions are listed with the integration."),
				edit("Or sign in again", "Where a stored sign-in has ended, sign in at the provider and store the refresh token that it gives."), retest,
			},
		},
		{
			CredentialMissing, "No credentials", "The connection has no credentials that can be used: none are stored, or what is stored or referred to cannot be read.",
			[]NextStep{edit("Enter the credentials", "Store them again, or mend what the reference points to."), retest},
		},
		{
			CredentialInvalid, "Credentials rejected", "The provider does not accept the credentials of this connection.",
			[]NextStep{edit("Enter new credentials", "Store credentials that the provider accepts."), retest},
		},
		{
			CredentialExpired, "Credentials expired", "The credentials of this connection were valid once and have run out.",
			[]NextStep{edit("Renew the credentials", "Store fresh credentials; session tokens end by themselves."), retest},
		},
		{
			ConfigurationChanged, "Configuration changed",
			"The connection was given another configuration during the run, which had the former one; nothing of what was read was kept.",
			[]NextStep{{Label: "Start again", Description: "The new configuration is used.", ActionType: ActStart}},
		},
		{
			TargetMismatch, "Wrong organisation", "The credentials reach another organisation than the one this connection is for.",
			[]NextStep{edit("Check which organisation the credentials belong to", "Use credentials of the intended organisation, or make another connection.")},
		},
		{
			TargetUnknown, "Organisation not known", "No test or run has found yet which organisation this connection reaches, so its work cannot be kept apart from other work there.",
			[]NextStep{retest},
		},
		{
			IntegrationNotLicensed, "Not licensed", "The licence of this tenant does not include the integration, or has ended.",
			[]NextStep{
				{Label: "See what the licence allows", Description: "A tenant admin installs another with gatehouse licence install.", Href: "/v1/licence", ActionType: ActSeeLicence},
				provider("Ask for a licence that includes the integration", "What was read before stays, and can be asked and exported."),
			},
		},
		{
			OperationNotSupported, "Not supported", "The integration of this connection does not offer the operation.",
			[]NextStep{{Label: "See what the integration offers", Href: "/v1/integrations", ActionType: ActSeeIntegration}},
		},
		{
			WorkspaceArchived, "Workspace archived", "The workspace can only be read, so nothing starts in it.",
			[]NextStep{{Label: "Have the workspace unarchived", Description: "A tenant administrator can do it.", ActionType: ActAdminister}},
		},
		{
			ScopeInvalid, "Scope not usable", "The scope names something that the provider does not have or will not show.",
			[]NextStep{edit("Correct the scope", "Name only what the credentials can reach, or leave the scope empty.")},
		},
		{
			PermissionDenied, "Permission denied", "The provider refused something the operation needs to read.",
			[]NextStep{provider("Grant the missing permission at the provider", "The remediation of a test names each permission and what it is for."), retest},
		},
		{Throttled, "Throttled", "The provider asked to slow down, and went on doing so after every wait.", []NextStep{wait}},
		{ProviderUnavailable, "Provider unavailable", "The provider answered with errors of its own.", []NextStep{wait}},
		{
			NetworkUnreachable, "Not reachable", "No connection to the provider could be made.",
			[]NextStep{edit("Check region and endpoint", "The worker must be able to reach the provider's address by HTTPS."), retest},
		},
		{
			ContractViolation, "Connector fault", "The connector returned something its contract forbids; the affected stream was left as it was.",
			[]NextStep{again},
		},
		{DeadlineExceeded, "Took too long", "The run did not end within its time limit.", []NextStep{again}},
		{WorkerLost, "Worker lost", "Every worker that took the run stopped responding.", []NextStep{again}},
		{
			Cancelled, "Cancelled", "Someone asked for the run to be stopped, or its connection was deleted.",
			[]NextStep{{Label: "Start again when it is wanted", Description: "What was known before stays as it was.", ActionType: ActStart}},
		},
		{Internal, "Internal error", "Something went wrong inside Gatehouse; the service's log has the details.", []NextStep{again}},
	}
}
