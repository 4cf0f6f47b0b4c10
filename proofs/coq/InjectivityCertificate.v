(* What a certificate of a collision or of the injectivity of a layer says, as data (sections 3.3 and 4.10 of FORMAT.md).
   As with Certificate.v, the parser builds these values and decides nothing. *)
From Coq Require Import ZArith List.
From ExactRelu Require Import Certificate.

(* ---------- two inputs with one output ---------- *)

(* one layer, or the layers from the first to this one; both count from 1 *)
Inductive layers_meant := LayerAlone (number : nat) | LayersThrough (number : nat).

Record collision_certificate := CollisionCertificate {
  collision_in : layers_meant;
  collision_on : domain;
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

Record injectivity_certificate := InjectivityCertificate {
  injective_layer : nat;
  injective_on : domain;
  dependencies : list dependency;
  flats : list multipliers;
  certain : list nat;
  spanned_by : spanning }.
