package api

import "net/http"

// maxURLBytes bounds path and query; cursors and ids stay far below.
const maxURLBytes = 16 << 10

// setSecurityHeaders tells browsers to show, frame, guess, keep and pass on
// nothing of an answer. Pages that need more set their own policy.
func setSecurityHeaders(h http.Header, secure bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if secure {
		// Without subdomains: they may not be ours to speak for.
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
