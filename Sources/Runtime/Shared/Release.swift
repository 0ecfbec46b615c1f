/// This release; worker and coordinator of one run are of the same one.
public enum Release {
    public static let version = "0.1.0"
}
