; What TypeScript adds to JavaScript's table.

; Values: casts and type arguments change nothing
(as_expression) @wrap
(satisfies_expression) @wrap
(non_null_expression) @wrap
(type_assertion) @wrap
(instantiation_expression) @wrap
(nested_identifier object: (_) @base property: (_) @name) @member

; Declarations
(required_parameter pattern: (_) @name type: (_) @type value: (_) @value) @parameter
(optional_parameter pattern: (_) @name type: (_) @type value: (_) @value) @parameter
(variable_declarator name: (_) @name type: (_) @type value: (_) @value) @declarator
(public_field_definition name: (_) @name type: (_) @type value: (_) @value) @field
(abstract_class_declaration name: (_) @name body: (_) @body) @class.declaration
(enum_declaration name: (_) @name body: (_) @body) @enum
(enum_assignment name: (_) @name value: (_) @value) @pair
(internal_module name: (_) @name body: (_) @body) @namespace
(module name: (_) @name body: (_) @body) @namespace

; Types, and declarations without code
(type_annotation) @skip
(asserts_annotation) @skip
(type_predicate_annotation) @skip
(interface_declaration) @skip
(type_alias_declaration) @skip
(type_arguments) @skip
(type_parameters) @skip
(ambient_declaration) @skip
(function_signature) @skip
(method_signature) @skip
(abstract_method_signature) @skip
(index_signature) @skip
(import_alias) @skip
(implements_clause) @skip
(accessibility_modifier) @skip
(override_modifier) @skip
(predefined_type) @skip
