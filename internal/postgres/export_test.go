package postgres

// Gathered is how many admissions wait for one that is under way.
func (s *Runs) Gathered() (n int) {
	s.together.mu.Lock()
	defer s.together.mu.Unlock()
	for _, waiting := range s.together.waiting {
		n += len(waiting)
	}
	return n
}
