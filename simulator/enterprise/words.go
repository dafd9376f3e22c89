package enterprise

import "strings"

// companies are invented; none is known to exist.
var companies = []string{
	"Quillmark", "Harrowdene", "Tessalune", "Brackenholt", "Ostrivane", "Merrowick", "Calderfen", "Lumidray",
	"Thornvale Freight", "Wexmoor Foods", "Pallisterne", "Aldermoss",
}

type department struct {
	name    string
	percent int // share of the people; all together make 100
	titles  []string
}

var departments = []department{
	{"Engineering", 32, []string{"Software Engineer", "Senior Software Engineer", "Engineering Manager", "Test Engineer", "Staff Engineer"}},
	{"Platform", 8, []string{"Site Reliability Engineer", "Platform Engineer", "Network Engineer"}},
	{"Data", 8, []string{"Data Engineer", "Data Analyst", "Data Scientist"}},
	{"Security", 3, []string{"Security Engineer", "Security Analyst", "Identity Architect"}},
	{"Product", 8, []string{"Product Manager", "Product Designer", "User Researcher"}},
	{"Sales", 14, []string{"Account Executive", "Sales Engineer", "Regional Sales Manager"}},
	{"Support", 12, []string{"Support Engineer", "Customer Success Manager", "Support Team Lead"}},
	{"Finance", 5, []string{"Accountant", "Payroll Specialist", "Financial Controller"}},
	{"People", 4, []string{"Recruiter", "People Partner", "Compensation Analyst"}},
	{"Legal", 2, []string{"Counsel", "Privacy Officer"}},
	{"Marketing", 4, []string{"Campaign Manager", "Content Editor", "Events Coordinator"}},
}

var countries = []string{"GB", "DE", "US", "NL", "PL", "IN", "IE", "SE", "ES", "CA"}

var teamWords = strings.Fields(`Lantern Harbour Kestrel Juniper Anvil Meadow Compass Otter Saffron Glacier Willow
	Beacon Falcon Cobalt Thistle Mosaic Summit Heron Quarry Ember Birch Tundra Marlin Orchard`)

var givenNames = strings.Fields(`Adaeze Agnes Aisha Alba Alexei Amara Anders Anika Anton Arjun Astrid Aurelio Beatrix Benedikt
	Bianca Bogdan Bronwen Callum Camila Cecily Chidi Clara Connor Dagny Daniel Daria David Deepa Dmitri Edith Eduardo Eilidh Elena
	Elias Emeka Emma Enzo Erik Esther Fatima Felix Fiona Florian Freya Gabriel Georgia Giulia Grace Gustav Hana Hannah Harriet
	Hassan Hugo Ibrahim Ines Ingrid Isabel Ivan Jakub Jasmine Joanna Jonas Jorge Josephine Julian Kamala Karim Katarina Keiko Kofi
	Lara Lars Laszlo Leila Leon Linnea Lucia Lukas Magnus Malik Marcus Maren Maria Mateo Mei Mikael Mina Miriam Nadia Naveen Niamh
	Nikolai Noor Oksana Olivia Omar Oscar Paola Petra Pilar Priya Quentin Rafael Rania Rasmus Renata Rohan Rosa Ruben Samira Sanjay
	Selma Silas Simone Sofia Stefan Sunita Tamsin Tariq Theodor Tomas Uma Valentina Vera Viktor Wanda Wei Xenia Yara Yusuf Zainab Zofia`)

var familyNames = strings.Fields(`Abara Acheson Adeyemi Ahlgren Albescu Almeida Andersson Arnaud Asante Baumgart Bellamy Benali
	Bergqvist Bianchi Blackwood Bondarenko Boateng Brandt Brennan Calloway Carvalho Castellan Chaudhry Chevalier Cieslak Colley
	Constantin Corrigan Dahlberg Dalgaard Dasgupta Delacroix Demir Devereux Diallo Dobrev Draper Dubois Eastwood Ebert Egede Eklund
	Eriksen Escobar Fairley Falk Farouk Ferrante Fitzroy Fontaine Forsberg Galanis Gallagher Garrick Georgiou Ghosh Gorski Granger
	Grimaldi Haddad Hallstrom Hargreave Hartmann Hayashi Hedlund Hesse Hollis Horvath Hughes Ibarra Idowu Ilves Ivanova Jablonski
	Jansen Jarvinen Jha Johansen Kaczmarek Kamau Kapoor Karlsen Kavanagh Keller Khoury Kimura Kirchner Kovac Kowalczyk Kruger Kuznets
	Lachance Lindgren Linton Lombardi Lundqvist Mahmood Maier Malhotra Marchetti Marlowe Mbeki Mendoza Mercier Mikkelsen Mistry Moreau
	Mortensen Mulligan Nakagawa Navarro Ndiaye Nielsen Nolan Novak Nyberg Obi Odhiambo Okafor Okonkwo Oliveira Olsen Orlova Ortega
	Osei Pavlov Pedersen Pellegrini Petrov Pham Pietrangeli Prasad Quigley Quist Radcliffe Rahimi Ramaswamy Rantanen Reyes Ricci
	Rosenthal Rossi Sandoval Santos Sato Schaefer Schreiber Sekibo Serrano Shapiro Sharma Silva Skovgaard Soto Stenberg Strand Suleiman
	Sundaram Svensson Szabo Takeda Tanaka Thackeray Thorne Toivonen Torres Trevino Tran Ueda Umarov Underhill Valdez Vance Varga
	Vasquez Venter Vesely Villanueva Vogel Walcott Wallin Weaver Westergaard Whitlock Wieczorek Winther Wolff Yamada Yilmaz Zabala
	Zapata Zeller Zielinski Zoric`)
