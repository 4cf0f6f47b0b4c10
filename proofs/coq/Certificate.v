(* What a network file and a certificate say, as data (sections 2 to 4 of FORMAT.md).
   The parser of the command `exactrelu-check` builds these values and decides nothing: whatever it builds, the theorems of
   Soundness.v and CompositionSound.v speak about the value that was built. *)
From Coq Require Import ZArith List.

(* ---------- section 2: the network ---------- *)

(* x |-> (constant + coefficients . x) * 2^exponent *)
Record row := Row { exponent : Z; constant : Z; coefficients : list Z }.
(* one mark a row: whether a relu follows *)
Record layer := Layer { inputs : nat; rows : list row; rectified : list bool }.
Record network := Network { network_inputs : nat; layers : list layer }.

(* ---------- section 3: the claim ---------- *)

(* numerators / denominator *)
Record point := Point { denominator : Z; numerators : list Z }.

Inductive domain :=
| AllSpace
| Orthant
| Box (lower upper : point)
| Polytope (sides : list (Z * list Z)). (* (b, a): b + a.x <= 0 *)

Inductive subject :=
| NetworkInput (x : point)
| LayerInput (x : point)
| LayerOutput (y : point).

Inductive cardinality := Singleton | Bounded | Unbounded | Infinite.
Inductive claim :=
| Empty
| Preimage (size : cardinality) (dimension rank active : nat).

(* ---------- section 4: the evidence, one value a line or a group of lines ---------- *)

(* factor * row = sum of the terms, a term being the number of a row and its coefficient *)
Record relation := Relation { related : nat; factor : Z; terms : list (nat * Z) }.
Inductive upper_bound :=
| ByRows
| ByColumns
| ByRelations (relations : list relation)
| ByNullVectors (vectors : list (list Z)).
Record rank_evidence := RankEvidence {
  rank_value : nat;
  modulus : Z;                 (* 0: the block is regular by an approximate inverse *)
  chosen_rows : list bool;     (* masks: bit i stands for element i; bits beyond the end are 0 *)
  chosen_columns : list bool;
  bound_above : upper_bound }.

Inductive evidence :=
| Solution (x : point)
| RankOf (r : rank_evidence)
| TrivialMargin (selected : list bool) (outside : Z) (multipliers : list Z)
| TrivialExact (multipliers : list Z) (support : rank_evidence)
| Tight (implicit : list bool)
| Implicit (multipliers : list Z) (equalities : rank_evidence)
| RayMargin (direction : list Z)
| RayExact (direction : list Z)
| Recession (direction : point)
| NegativeOutput (index : nat)
| FarkasMultipliers (multipliers : list Z)
| EmptyMargin (selected : list bool) (outside : Z) (multipliers : list Z).

(* scope_layer counts from 1 *)
Record certificate := Certificate {
  scope_layer : nat;
  on : domain;
  about : subject;
  claimed : claim;
  proved_by : list evidence }.

(* ---------- sections 3.2 and 4.9: a claim about several layers, one after the other ---------- *)

(* an input of the network, or an output of its last layer that is spoken of *)
Inductive endpoint := InputOf (x : point) | OutputOf (y : point).

Inductive through_claim :=
| NoInput
| Inputs (number_of_inputs : cardinality) (active_outputs : nat)
| FiniteInputs (inputs_in_all : nat) (outputs_above_0 : nat).

(* what is claimed of one layer, from what stands in the layers around it *)
Record part := Part { part_layer : nat; part_claim : claim; part_proved_by : list evidence }.
(* A case: the hidden neuron that divides it, a row of a layer that counts from 1, and the cases in which it is inactive and active; or
   what is claimed of the layer that stands for it. *)
Inductive case_tree :=
| Divide (divided_layer divided_row : nat) (inactive active : case_tree)
| Leaf (leaf_claim : claim) (leaf_proved_by : list evidence).
Inductive through_evidence :=
| Parts (parts : list part)
| Cases (tree : case_tree)
| SecondPoint (x : point)
| Direction (d : point)
| StartingAt (x : point) (rest : through_evidence). (* another input than the one that is given *)

(* last_layer counts from 1 *)
Record through_certificate := ThroughCertificate {
  last_layer : nat;
  through_on : domain;
  through_about : endpoint;
  through_claimed : through_claim;
  through_proved_by : through_evidence }.
