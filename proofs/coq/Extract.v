(* The checker as OCaml code.  Integers become zarith's, lists, booleans, options and pairs OCaml's, and nat, which only
   counts rows and columns, becomes int. *)
From Coq Require Import ZArith Extraction ExtrOcamlBasic ExtrOcamlNatInt ExtrOcamlZBigInt.
From ExactRelu Require Import Checker CompositionChecks InjectivityChecks WindowChecks ExpansionChecks
  NetworkInjectivityChecks.
Extract Inductive prod => "(*)" [ "(,)" ].
Extraction "checker.ml" check check_through check_collision check_injective check_sparse_injective check_bias_limit check_expansion
  check_network_injective.
