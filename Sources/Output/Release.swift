/// What the programs of one release have in common.
public enum Release {
    /// The version, as `--version`, the workers' rows and the User-Agent show it.
    public static let version = "0.2.0"
}
