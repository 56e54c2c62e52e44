-- A catalogue of two films as titles kept it before its tables had migrations.
BEGIN TRANSACTION;
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	account_id VARCHAR(64) NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	title_id VARCHAR(120) NOT NULL, 
	detail JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE blocks (
	title_id VARCHAR(120) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	PRIMARY KEY (title_id, country), 
	FOREIGN KEY(title_id) REFERENCES titles (id)
)
 WITHOUT ROWID

;
CREATE TABLE certificates (
	title_id VARCHAR(120) NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	code VARCHAR(16) NOT NULL, 
	PRIMARY KEY (title_id, country), 
	FOREIGN KEY(title_id) REFERENCES titles (id)
)
 WITHOUT ROWID

;
CREATE TABLE changes (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	title_id VARCHAR(120) NOT NULL
);
INSERT INTO "changes" VALUES(1,'mov_the-kid-1921');
INSERT INTO "changes" VALUES(2,'mov_haxan-1922');
CREATE TABLE credits (
	title_id VARCHAR(120) NOT NULL, 
	position INTEGER NOT NULL, 
	person_id VARCHAR(64) NOT NULL, 
	role VARCHAR(10) NOT NULL, 
	character TEXT, 
	PRIMARY KEY (title_id, position), 
	FOREIGN KEY(title_id) REFERENCES titles (id), 
	FOREIGN KEY(person_id) REFERENCES people (id)
)
 WITHOUT ROWID

;
INSERT INTO "credits" VALUES('mov_haxan-1922',0,'per_2c7pgvtzplp24a52std35i5vuq','DIRECTOR',NULL);
INSERT INTO "credits" VALUES('mov_haxan-1922',1,'per_fqlvcwelf4rgvdcyxxrjcdx4ab','CAST','The witch');
INSERT INTO "credits" VALUES('mov_haxan-1922',2,'per_2c7pgvtzplp24a52std35i5vuq','CAST','The devil');
INSERT INTO "credits" VALUES('mov_haxan-1922',3,'per_qx447bxa5ftybziltkwqh3ngen','CAST','Nun');
INSERT INTO "credits" VALUES('mov_haxan-1922',4,'per_2tpwvknly7dn35v3myh2issjox','CAST','Fat monk');
INSERT INTO "credits" VALUES('mov_the-kid-1921',0,'per_5t4knm766qi3oaczo5ce36dyfi','DIRECTOR',NULL);
INSERT INTO "credits" VALUES('mov_the-kid-1921',1,'per_5t4knm766qi3oaczo5ce36dyfi','CAST','The Tramp');
INSERT INTO "credits" VALUES('mov_the-kid-1921',2,'per_qwh5cb2kuwaseqpjlx4yzs4ixd','CAST','The kid');
INSERT INTO "credits" VALUES('mov_the-kid-1921',3,'per_hznyim5xkdg5o5z3imhowlqxga','CAST','The mother');
CREATE TABLE followers (
	name VARCHAR(32) NOT NULL, 
	confirmed INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "followers" VALUES('events',0);
INSERT INTO "followers" VALUES('search',2);
CREATE TABLE genres (
	id VARCHAR(64) NOT NULL, 
	display_name TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "genres" VALUES('gen_comedy','Comedy');
INSERT INTO "genres" VALUES('gen_drama','Drama');
INSERT INTO "genres" VALUES('gen_family','Family');
INSERT INTO "genres" VALUES('gen_horror','Horror');
INSERT INTO "genres" VALUES('gen_documentary','Documentary');
CREATE TABLE people (
	id VARCHAR(64) NOT NULL, 
	display_name TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "people" VALUES('per_5t4knm766qi3oaczo5ce36dyfi','Charlie Chaplin');
INSERT INTO "people" VALUES('per_qwh5cb2kuwaseqpjlx4yzs4ixd','Jackie Coogan');
INSERT INTO "people" VALUES('per_hznyim5xkdg5o5z3imhowlqxga','Edna Purviance');
INSERT INTO "people" VALUES('per_2c7pgvtzplp24a52std35i5vuq','Benjamin Christensen');
INSERT INTO "people" VALUES('per_fqlvcwelf4rgvdcyxxrjcdx4ab','Maren Pedersen');
INSERT INTO "people" VALUES('per_qx447bxa5ftybziltkwqh3ngen','Clara Pontoppidan');
INSERT INTO "people" VALUES('per_2tpwvknly7dn35v3myh2issjox','Oscar Stribolt');
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE seasons (
	id VARCHAR(120) NOT NULL, 
	series_id VARCHAR(120) NOT NULL, 
	number INTEGER NOT NULL, 
	display_name TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(series_id) REFERENCES titles (id)
);
CREATE TABLE title_genres (
	title_id VARCHAR(120) NOT NULL, 
	genre_id VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	popularity FLOAT NOT NULL, 
	added_at BIGINT NOT NULL, 
	release_year INTEGER NOT NULL, 
	sort_name TEXT NOT NULL, 
	PRIMARY KEY (title_id, genre_id), 
	FOREIGN KEY(title_id) REFERENCES titles (id), 
	FOREIGN KEY(genre_id) REFERENCES genres (id)
)
 WITHOUT ROWID

;
INSERT INTO "title_genres" VALUES('mov_haxan-1922','gen_documentary',1,0.74,1787788800000000,1922,'haxan');
INSERT INTO "title_genres" VALUES('mov_haxan-1922','gen_horror',0,0.74,1787788800000000,1922,'haxan');
INSERT INTO "title_genres" VALUES('mov_the-kid-1921','gen_comedy',0,0.94,1783209600000000,1921,'kid');
INSERT INTO "title_genres" VALUES('mov_the-kid-1921','gen_drama',1,0.94,1783209600000000,1921,'kid');
INSERT INTO "title_genres" VALUES('mov_the-kid-1921','gen_family',2,0.94,1783209600000000,1921,'kid');
CREATE TABLE titles (
	id VARCHAR(120) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	display_name TEXT NOT NULL, 
	sort_name TEXT NOT NULL, 
	match_key TEXT NOT NULL, 
	source VARCHAR(32) NOT NULL, 
	source_key TEXT NOT NULL, 
	digest VARCHAR(32) NOT NULL, 
	synopsis TEXT NOT NULL, 
	release_year INTEGER NOT NULL, 
	duration_seconds INTEGER, 
	minimum_age INTEGER NOT NULL, 
	is_age_certified BOOLEAN NOT NULL, 
	is_kids BOOLEAN NOT NULL, 
	popularity FLOAT NOT NULL, 
	added_at BIGINT NOT NULL, 
	origin_country VARCHAR(2), 
	series_id VARCHAR(120), 
	season_id VARCHAR(120), 
	season_number INTEGER, 
	episode_number INTEGER, 
	is_withdrawn BOOLEAN NOT NULL, 
	media_status VARCHAR(10) NOT NULL, 
	asset JSON, 
	markers JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "titles" VALUES('mov_the-kid-1921','MOVIE','The Kid','kid','MOVIE|the kid|1921','demo','the-kid-1921','9102394d4c9b75c23289f806a7ef4649','A tramp finds a baby beside a dustbin and brings him up to be the best window-breaker in town. Then the orphanage van comes round the corner.',1921,4080,0,1,1,0.94,1783209600000000,'US',NULL,NULL,NULL,NULL,0,'NONE','null','[]');
INSERT INTO "titles" VALUES('mov_haxan-1922','MOVIE','Häxan','haxan','MOVIE|haxan|1922','demo','haxan-1922','34dc918632cb5a72de00541294958ad3','A lecture on witchcraft that keeps turning into a nightmare: sabbaths, possessed convents and inquisitors, played with relish by the director as the devil himself.',1922,6300,16,1,0,0.74,1787788800000000,'SE',NULL,NULL,NULL,NULL,0,'NONE','null','[]');
CREATE TABLE windows (
	title_id VARCHAR(120) NOT NULL, 
	position INTEGER NOT NULL, 
	country VARCHAR(2) NOT NULL, 
	opens_at BIGINT, 
	closes_at BIGINT, 
	PRIMARY KEY (title_id, position), 
	FOREIGN KEY(title_id) REFERENCES titles (id)
)
 WITHOUT ROWID

;
INSERT INTO "windows" VALUES('mov_haxan-1922',0,'*',NULL,NULL);
INSERT INTO "windows" VALUES('mov_the-kid-1921',0,'*',NULL,NULL);
CREATE INDEX titles_by_series ON titles (series_id, season_number, episode_number);
CREATE INDEX titles_by_added ON titles (added_at, id);
CREATE INDEX titles_by_year ON titles (release_year, id);
CREATE INDEX titles_by_name ON titles (sort_name, id);
CREATE INDEX titles_by_match ON titles (match_key);
CREATE INDEX titles_by_popularity ON titles (popularity, id);
CREATE INDEX ix_audit_title_id ON audit (title_id);
CREATE INDEX title_genres_by_added ON title_genres (genre_id, added_at, title_id);
CREATE INDEX title_genres_by_popularity ON title_genres (genre_id, popularity, title_id);
CREATE INDEX title_genres_by_name ON title_genres (genre_id, sort_name, title_id);
CREATE INDEX title_genres_by_year ON title_genres (genre_id, release_year, title_id);
CREATE INDEX seasons_by_series ON seasons (series_id, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',2);
COMMIT;
