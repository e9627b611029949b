; What TypeScript adds to JavaScript's table.
(as_expression) @wrap
(satisfies_expression) @wrap
(non_null_expression) @wrap
(type_assertion) @wrap
(type_annotation) @skip
(interface_declaration) @skip
(type_alias_declaration) @skip
(type_arguments) @skip
(type_parameters) @skip
(abstract_class_declaration name: (_) @name body: (_) @body) @class.declaration
