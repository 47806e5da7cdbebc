CREATE TABLE IF NOT EXISTS `ServerCallIncident` (
  `modid` int NOT NULL,
  `cmdid` int NOT NULL,
  `ip` int unsigned NOT NULL,
  `port` int NOT NULL,
  `began` bigint NOT NULL,
  `ended` bigint NULL,
  `peak_hot` int NOT NULL,
  `callers` int NOT NULL,
  `relapses` int NOT NULL,
  `calls` bigint NOT NULL,
  `errs` bigint NOT NULL,
  `first_caller` int unsigned NULL,
  PRIMARY KEY (`modid`, `cmdid`, `ip`, `port`, `began`),
  KEY `began` (`began`)
) ENGINE=InnoDB
