extension Diagnosis.Cause: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id, layer, evidence, because
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(layer, forKey: .layer)  // null where layers do not differ: the key is always there
        try values.encode(evidence, forKey: .evidence)
        try values.encode(because, forKey: .because)
    }
}

extension Diagnosis: Encodable {
    private enum CodingKeys: String, CodingKey {
        case training
        case heldOut = "held_out"
        case causes, next
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(training, forKey: .training)
        try values.encode(heldOut, forKey: .heldOut)
        try values.encode(causes, forKey: .causes)
        try values.encode(next, forKey: .next)
    }
}
