// Package notification serves /v1/notifications: the caller's own inbox.
//
// It translates between HTTP and the use cases of internal/notification. Nobody
// sees another member's inbox, whatever their role.
package notification
