/** Who may launch an image besides its owner. */
export type Launchers = {
  readonly accounts: readonly string[];
  /** ARNs, like the next. */
  readonly organizations: readonly string[];
  readonly organizationalUnits: readonly string[];
  readonly public: boolean;
};
