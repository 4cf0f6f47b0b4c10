(* What a certificate of a claim about all inputs says, as data (sections 3.4, 4.10 and 4.11 of FORMAT.md): a collision, the
   injectivity of a layer, how far its biases may be lowered, how much it shortens distances.  As with Certificate.v, the parser builds
   these values and decides nothing. *)
From Coq Require Import ZArith List.
From ExactRelu Require Import Certificate.

(* ---------- what claims about all inputs may speak of ---------- *)

(* a domain of Certificate.v, or the ball around 0 of radius numerator / denominator *)
Inductive convex_domain := Polyhedral (K : domain) | Ball (radius_denominator radius_numerator : Z).

(* above / below *)
Record fraction := Fraction { below : Z; above : Z }.

(* ---------- two inputs with one output ---------- *)

(* one layer, with a number subtracted from the biases of its rectified rows, or the layers from the first to this one; layers count
   from 1 *)
Inductive layers_meant := LayerAlone (number : nat) (lowered_by : fraction) | LayersThrough (number : nat).

Record collision_certificate := CollisionCertificate {
  collision_in : layers_meant;
  collision_on : convex_domain;
  first_input : point;
  second_input : point }.

(* ---------- no two inputs with one output ---------- *)

(* numbers of rows, or of a polytope's sides, each with a multiplier *)
Definition multipliers := list (nat * Z).
Record dependency := Dependency { dependent_rows : multipliers; dependent_sides : multipliers }.

(* the line of a node; a dependency and a row stand there by their numbers *)
Inductive tree_line :=
| Branch (on : nat)
| Split (on : nat)
| Spanned (excluded : relation)
| Pack (of : list nat).
Inductive spanning :=
| ByRank (r : rank_evidence)
| ByTree (prime : Z) (preorder : list tree_line).

(* for a layer and a domain: the rows that are 0 on every difference of two inputs with one output have full rank *)
Record full_rank_evidence := FullRankEvidence {
  dependencies : list dependency;
  flats : list multipliers;
  certain : list nat;
  spanned_by : spanning }.

(* Some rows, a window, determine the inputs that they read, given those that windows before read: by evidence of their own, or as the
   window of this number, counted from 0, does. *)
Inductive window_evidence := ByItself (e : full_rank_evidence) | AsBefore (number : nat).
Record window := Window { window_rows : list nat; window_by : window_evidence }.

Inductive injectivity_evidence := AtOnce (e : full_rank_evidence) | ByWindows (windows : list window).

Record injectivity_certificate := InjectivityCertificate {
  injective_layer : nat;
  injective_on : convex_domain;
  injective_lowered_by : fraction;
  injective_by : injectivity_evidence }.

(* ---------- how far the biases may be lowered ---------- *)

(* below every larger number the layer is not injective: inputs near the `common` one, moved towards these two, collide *)
Record bias_limit_certificate := BiasLimitCertificate {
  limited_layer : nat;
  limited_on : convex_domain;
  bias_limit : fraction;
  common_input : point;
  first_direction : point;
  second_direction : point }.

(* ---------- how much a layer shortens distances ---------- *)

(* the squares of distances become at most by the factor expansion / 4 smaller *)
Record expansion_certificate := ExpansionCertificate {
  expansive_layer : nat;
  expansive_on : convex_domain;
  expansive_lowered_by : fraction;
  expansion : fraction;
  expansion_dependencies : list dependency;
  expansion_certain : list nat;
  expansion_tree : list tree_line }.
