package ocsf

import (
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/audit"
)

// class is one of OCSF's event classes. Its category is the thousands of its
// number.
type class struct {
	uid  int
	name string
}

// activity is what happened, within a class.
type activity struct {
	class class
	id    int
	name  string
}

// Numbers of activities, https://schema.ocsf.io/1.3.0.
const (
	activityCreate = 1
	activityRead   = 2
	activityUpdate = 3
	activityDelete = 4
	activityOther  = 99

	accountCreate  = 1
	accountDisable = 5

	logon  = 1
	logoff = 2
)

func entityManagement(id int, name string) activity {
	return activity{class{3004, "entity_management"}, id, name}
}

func accountChange(id int, name string) activity {
	return activity{class{3001, "account_change"}, id, name}
}

func authentication(id int, name string) activity {
	return activity{class{3002, "authentication"}, id, name}
}

func apiActivity(id int, name string) activity {
	return activity{class{6003, "api_activity"}, id, name}
}

// activityOf is the one table of which action is what in OCSF. Actions that it
// does not name are told by the verb at their end.
func activityOf(a audit.Action) activity {
	switch a {
	case audit.APIKeyCreated:
		return accountChange(accountCreate, "Create")
	case audit.APIKeyRevoked:
		return accountChange(accountDisable, "Disable")
	case audit.SignedIn, audit.SignInRefused:
		return authentication(logon, "Logon")
	case audit.SignedOut:
		return authentication(logoff, "Logoff")
	case audit.ConfigurationDisclosed, audit.CredentialDisclosed, audit.AuditExported, audit.AuditEventsRead, audit.WorkspacesListed, audit.ExportDownloaded:
		return apiActivity(activityRead, "Read")
	case audit.RunAccepted, audit.RunBlocked:
		return apiActivity(activityCreate, "Create")
	case audit.RunStarted, audit.RunSucceeded, audit.RunPartiallySucceeded, audit.RunFailed, audit.RunCancelRequested, audit.RunCancelled:
		return apiActivity(activityUpdate, "Update")
	}
	verb := string(a[strings.LastIndexByte(string(a), '_')+1:])
	switch verb {
	case "created", "registered", "invited", "joined":
		return entityManagement(activityCreate, "Create")
	case "edited", "installed", "rewrapped", "renewed", "changed", "renamed", "transferred", "archived", "unarchived", "restored", "paused", "resumed":
		return entityManagement(activityUpdate, "Update")
	case "deleted", "removed", "revoked", "retired":
		return entityManagement(activityDelete, "Delete")
	}
	return apiActivity(activityOther, verb)
}
