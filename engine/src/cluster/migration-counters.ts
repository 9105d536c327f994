/** What went between nodes to fill copies, in records. The names are those of the real server's statistics. */
export interface MigrationCounters {
  /** Sent to a replica, or to a master that takes them in. */
  migrate_records_transmitted: number
  /** Not sent, since the other copy has had them. */
  migrate_records_skipped: number
  /** Sent again to a replica that had not said in time that it has them. */
  migrate_record_retransmits: number
  /** Taken from a master or from a holder. */
  migrate_record_receives: number
}

export function newMigrationCounters(): MigrationCounters {
  return {
    migrate_records_transmitted: 0,
    migrate_records_skipped: 0,
    migrate_record_retransmits: 0,
    migrate_record_receives: 0,
  }
}
