(* What a certificate says of the injectivity of several layers together, as data (sections 4.14 and 4.15 of FORMAT.md).  As with
   Certificate.v, the parser builds these values and decides nothing. *)
From Coq Require Import ZArith List.
From ExactRelu Require Import Certificate InjectivityCertificate RegionCertificate.

(* a set that holds all that reaches a layer: all vectors, the certificate's domain, the vectors without a negative entry, those within
   the intervals that the layers before make of the domain *)
Inductive layer_inputs := AllVectors | TheDomain | NonNegative | IntervalImage.

(* that a layer is injective on such a set, with the evidence of section 4.10 *)
Record layer_stage := LayerStage { stage_inputs : layer_inputs; stage_by : injectivity_evidence }.

Inductive network_evidence :=
| ByStages (stages : list layer_stage) (* one for each layer *)
(* numbers of layers, counted from 0; some of them again, with the rows of nearly an inverse *)
| BySkips (last_of_blocks : list nat) (inverses : list (nat * list (list Z)))
| ByMatrix (rows_of_matrix : list (list Z)) (cells : region_tree)
| ByOrientation (inside_a_region : point) (cells : region_tree).

(* network_layers: how many layers are meant *)
Record network_injectivity_certificate := NetworkInjectivityCertificate {
  network_layers : nat;
  network_on : convex_domain;
  network_by : network_evidence }.
