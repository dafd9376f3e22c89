package worker_test

// state runs f while nothing changes.
func (p *fakePlatform) state(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// ends returns the last header of each partition as "stream/key coverage
// category", in order.
func (p *fakePlatform) ends() []string {
	var ends []string
	for _, h := range p.headers {
		if h.End == "" {
			continue
		}
		text := h.Stream + "/" + h.Partition + " " + string(h.End)
		if h.Failure != nil {
			text += " " + string(h.Failure.Category)
		}
		ends = append(ends, text)
	}
	return ends
}
