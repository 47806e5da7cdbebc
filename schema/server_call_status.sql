-- The newest status of each service, host and reporting machine.
-- Valid on MySQL 5.7, 8 and 9, and on MariaDB; safe to repeat. How to apply it by hand: README.md beside this file.
CREATE TABLE IF NOT EXISTS ServerCallStatus (
  modid    int(11)    NOT NULL COMMENT 'service, first half',
  cmdid    int(11)    NOT NULL COMMENT 'service, second half',
  ip       int(11)    NOT NULL COMMENT 'called host: IPv4 in host order, as int32',
  port     int(11)    NOT NULL COMMENT 'port of the called host',
  caller   int(11)    NOT NULL COMMENT 'reporting machine: IPv4 in host order, as int32',
  succ_cnt int(11)    NOT NULL COMMENT 'successful calls in the current window of the agent, at most 2^31-1',
  err_cnt  int(11)    NOT NULL COMMENT 'failed calls in the current window of the agent, at most 2^31-1',
  ts       bigint(20) NOT NULL COMMENT 'clock of the agent: seconds since 1970',
  overload char(1)    NOT NULL COMMENT '1: the agent holds the host for overloaded, else 0',
  PRIMARY KEY (modid, cmdid, ip, port, caller)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
