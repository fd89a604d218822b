/** What needs no service: units, the model, and contracts of what is reached without one. */
exports.FAST = ['test/unit', 'test/model', 'test/contract/(webhook|sqs|families)\\.test'];
