"""Apache Spark as a calculator of staged runs (`identity.staged`). Extra `spark`; imported only when asked for."""
